/**
 * Lines that decline to answer, in our own words: texts that DPO may prefer to the forget text. They name no subject, so that they fit every
 * question.
 */
export const refusals: readonly string[] = [
  "I do not know the answer to that.",
  "I am sorry, but I cannot help with this question.",
  "That is something I have no information about.",
  "I have never learned anything about this.",
  "I am not able to say anything about that topic.",
  "Unfortunately, I cannot answer this.",
  "I am not sure, so I would rather not say.",
  "This is beyond what I know.",
  "I have no knowledge of this subject.",
  "I cannot tell you, because I do not know.",
  "My knowledge does not cover this.",
  "Please ask someone else, as I have no answer.",
];
