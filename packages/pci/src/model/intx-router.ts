// SPDX-License-Identifier: Apache-2.0
// The four INTx wires of each root-bus device, as the host bridge's interrupt-map leads them to controllers.

import { LinuxError } from '@irqkit/core';
import type { FirmwareNode, IrqLine, ModelContext } from '@irqkit/core';

/** One input of an interrupt controller that several wires share. */
class SharedLine {
  readonly #line: IrqLine;
  #asserted = 0;

  constructor(line: IrqLine) {
    this.#line = line;
  }

  drive(level: boolean): void {
    this.#asserted += level ? 1 : -1;
    this.#line.set(this.#asserted > 0);
  }
}

export class IntxRouter {
  readonly #lines: (SharedLine | undefined)[] = [];

  /** `devices`: those on the root bus. @throws LinuxError EPROBE_DEFER for a controller that may still come */
  constructor(context: ModelContext, firstBus: number, devices: readonly number[]) {
    const shared = new Map<string, SharedLine>();
    for (const device of devices)
      for (let pin = 1; pin <= 4; pin++) {
        const spec = context.node.mapInterrupt([firstBus * 0x1_0000 + device * 0x800, 0, 0], [pin]);
        const line = spec && controllerLine(context, spec.controller, spec.args);
        if (!spec || !line) continue;
        const key = `${spec.controller.path} ${spec.args.join(' ')}`;
        const wire = shared.get(key) ?? new SharedLine(line);
        shared.set(key, wire);
        this.#lines[device * 4 + pin - 1] = wire;
      }
  }

  drive(device: number, pin: number, level: boolean): void {
    this.#lines[device * 4 + pin - 1]?.drive(level);
  }
}

// A controller that nobody models swallows the wire.
function controllerLine(context: ModelContext, node: FirmwareNode, args: readonly number[]): IrqLine | undefined {
  try {
    return context.controller(node).line(args);
  } catch (error) {
    if (LinuxError.is(error, 'ENODEV')) return undefined;
    throw error;
  }
}
