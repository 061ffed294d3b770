/**
 * Which adapter to open. `best` takes a GPU where there is one, then a software adapter of the system, then, on Linux
 * x64, the SwiftShader that an npm package carries. `swiftshader` goes straight to that last one.
 */
export type AdapterChoice = "best" | "swiftshader";
