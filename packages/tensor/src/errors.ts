/** Base class of every error that Lethe throws on purpose. */
export class LetheError extends Error {
  override readonly name: string = "LetheError";
}

/**
 * An argument of the wrong kind: a number where a tensor belongs, a tensor of a dtype that the operation does not take, an option or a
 * choice that it does not have. The message names the operation, the argument, the value that came and what is expected.
 */
export class ArgumentError extends LetheError {
  override readonly name = "ArgumentError";
}

/** Shapes that do not fit an operation or each other. The message names the operation, the shapes and the mismatch. */
export class ShapeError extends LetheError {
  override readonly name = "ShapeError";
}

/** A tensor was used after its buffer went back to the pool. */
export class ReleasedError extends LetheError {
  override readonly name = "ReleasedError";
}

/** No usable WebGPU adapter was found. The message says what was tried and what to install. */
export class AdapterError extends LetheError {
  override readonly name = "AdapterError";
}

/** The adapter lacks a feature that the work needs. The message names it, and says what does without. */
export class FeatureError extends LetheError {
  override readonly name = "FeatureError";
}

/** The device refused recorded work: there is a mistake in a kernel or in a call of it. */
export class DeviceValidationError extends LetheError {
  override readonly name = "DeviceValidationError";
}

/** The device has no memory for a buffer, or the buffer is larger than the adapter allows. */
export class OutOfMemoryError extends LetheError {
  override readonly name = "OutOfMemoryError";
}

/** The device went away: driver reset, process of the GPU killed, or destroyed by the caller. */
export class DeviceLostError extends LetheError {
  override readonly name = "DeviceLostError";
}
