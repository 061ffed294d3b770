// WebGPU's flags, spelt out: in Node its globals do not exist before an adapter was asked for.

export const bufferUsage = {
  MAP_READ: 0x01,
  COPY_SRC: 0x04,
  COPY_DST: 0x08,
  UNIFORM: 0x40,
  STORAGE: 0x80,
} as const;

/** `GPUShaderStage.COMPUTE` */
export const computeStage = 0x4;

/** `GPUMapMode.READ` */
export const mapForReading = 0x1;
