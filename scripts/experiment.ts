/** `npm run experiment`: from a model and a data file to a report of what came back. */
import "../packages/unlearn/src/experiment/main.ts";
