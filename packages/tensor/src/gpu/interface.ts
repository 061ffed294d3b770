import { definesOf } from "./include.ts";

/** One storage buffer that a kernel binds. */
export interface StorageBinding {
  readonly name: string;
  readonly index: number;
  readonly writable: boolean;
}

/** One 4-byte field of a kernel's `Params` struct. */
export interface ParamField {
  readonly name: string;
  readonly type: "u32" | "i32" | "f32";
}

/** How a kernel is called, read from its WGSL source, so that it is written down in one place. */
export interface KernelInterface {
  readonly storage: readonly StorageBinding[];
  readonly params: readonly ParamField[];
  readonly overrides: ReadonlySet<string>;
  readonly defines: ReadonlySet<string>;
}

const storageDeclaration = /@group\(0\)\s*@binding\((\d+)\)\s*var<storage(?:,\s*(read|read_write))?>\s*(\w+)/g;
const paramsStruct = /struct\s+Params\s*\{([^}]*)\}/;
const overrideDeclaration = /^override\s+(\w+)/gm;

/** Reads bindings, parameters and constants from a kernel's source. Binding 0 is the uniform `params`. */
export function readInterface(source: string): KernelInterface {
  const code = source.replace(/\/\/.*$/gm, "");
  const storage = [...code.matchAll(storageDeclaration)].map(([, index, access, name]) => ({
    name: name!,
    index: Number(index),
    writable: access === "read_write",
  }));
  const fields = (paramsStruct.exec(code)?.[1] ?? "").split(",").filter((field) => field.trim() !== "");
  const params = fields.map((field) => {
    const [name, type] = field.split(":").map((part) => part.trim());
    if (type !== "u32" && type !== "i32" && type !== "f32")
      throw new TypeError(`Params.${name} is ${type}; kernel parameters are u32, i32 or f32`);
    return { name: name!, type } as const;
  });
  const overrides = new Set([...code.matchAll(overrideDeclaration)].map((match) => match[1]!));
  return { storage, params, overrides, defines: definesOf(source) };
}
