import type { Device, Dispatch } from "@lethe/tensor";

/** Shows every dispatch of a device to `seen` before it is recorded, until disposed of. */
export function watchDispatches(device: Device, seen: (call: Dispatch) => void): Disposable {
  device.dispatch = (call) => {
    seen(call);
    Object.getPrototypeOf(device).dispatch.call(device, call);
  };
  return {
    [Symbol.dispose]() {
      Reflect.deleteProperty(device, "dispatch");
    },
  };
}
