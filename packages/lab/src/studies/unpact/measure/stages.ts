// The names of the stages, under which their times are recorded and forecast.

export const LEAVING_OUT = "leaving words out";
export const COMPARING = "comparing attributions";
export const ASKING_AGAIN = "asking again";
export const DRAWING = "drawing answers";
export const COLLAPSE = "comparing classes of words";
