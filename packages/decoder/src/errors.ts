import { LetheError } from "@lethe/tensor";

/** A model directory, or something in it, is not what a model can be loaded from. */
export class ModelError extends LetheError {
  override readonly name = "ModelError";
}

/** A field of `config.json` is missing, wrong, or asks for something that is not supported. The message names the field. */
export class ConfigError extends LetheError {
  override readonly name = "ConfigError";
}

/** A model was asked for something that it cannot do. */
export class ModelUseError extends LetheError {
  override readonly name = "ModelUseError";
}
