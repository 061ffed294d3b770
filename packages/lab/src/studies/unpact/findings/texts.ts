/** The paper's findings stand in its abstract. Its numbers could not be read. */
export const ABSTRACT = "unPact, arXiv 2509.24675, abstract";
export const NOT_KNOWN = "not known: we could read the abstract alone";
