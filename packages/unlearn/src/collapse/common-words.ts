import { stopWords } from "../metrics/judges/stop-words.ts";

/**
 * English words that any text needs, whatever it is about: the judges' stop words, and verbs, adverbs, numerals and nouns that carry little
 * meaning of their own, in all their forms. unPact (arXiv 2509.24675) names "what", "do" and "get" as examples and gives no list that we know;
 * this one is ours.
 */
export const commonWords: ReadonlySet<string> = new Set([
  ...stopWords,
  ...`yes no please
get gets got gotten getting go goes went gone going come comes came coming make makes made making take takes took taken taking give gives gave
given giving put puts putting let lets letting keep keeps kept keeping say says said saying tell tells told telling ask asks asked asking know
knows knew known knowing think thinks thought thinking see sees saw seen seeing look looks looked looking find finds found finding want wants
wanted wanting need needs needed needing use uses used using call calls called calling seem seems seemed become becomes became becoming mean
means meant try tries tried trying begin begins began begun start starts started show shows showed shown help helps helped happen happens
happened happening work works worked
one two first second last another many much every either neither both else enough several less least almost always never ever even still yet
already soon now then well really quite rather maybe perhaps however therefore thus though although unless upon among within without across
along around since per via like around away back anyone anything everyone everything someone something nobody nothing none others whose whether
thing things way ways kind kinds part parts lot lots bit time times people person man men woman women year years day days name names
good bad big small new old long short great little high low right different important able sure`.split(/\s+/),
]);
