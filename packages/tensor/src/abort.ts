/** What to call when a signal is aborted. A signal gets one listener for all of it, because Node warns of more than ten. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Waits for a promise, but no longer than until a signal is aborted.
 * @throws the signal's reason, as soon as it is aborted
 */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  signal?.throwIfAborted();
  if (!signal) return promise;
  const stops = stopsOf(signal);
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    stops.add(stop);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    stops.delete(stop);
  }
}

function stopsOf(signal: AbortSignal): Set<() => void> {
  const known = waiting.get(signal);
  if (known) return known;
  const stops = new Set<() => void>();
  waiting.set(signal, stops);
  signal.addEventListener(
    "abort",
    () => {
      for (const stop of stops) stop();
    },
    { once: true },
  );
  return stops;
}
