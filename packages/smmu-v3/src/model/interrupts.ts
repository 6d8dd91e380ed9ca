// SPDX-License-Identifier: Apache-2.0
// How software is told: edges on wires, or messages where IDR0.MSI is 1. Arm IHI 0070, section 3.18; the names of the wires:
// devicetree binding arm,smmu-v3.

import type { DmaPorts, FirmwareNode, IrqLine } from '@irqkit/core';

export type InterruptName = 'eventq' | 'gerror' | 'cmdq-sync' | 'priq';

export class Interrupts {
  readonly #lines: Readonly<Partial<Record<InterruptName | 'combined', IrqLine>>>;
  readonly #ports: DmaPorts;

  constructor(node: FirmwareNode, lines: readonly IrqLine[], ports: DmaPorts) {
    const names = node.strings('interrupt-names') ?? [];
    this.#lines = Object.fromEntries(lines.map((line, i) => [names[i] ?? '', line]));
    this.#ports = ports;
  }

  /** An edge on the wire of that name, or on the combined one. Nothing without either. */
  pulse(name: InterruptName): void {
    const line = this.#lines[name] ?? this.#lines.combined;
    line?.set(true);
    line?.set(false);
  }

  /** A message of the SMMU's own, not translated; false where it was aborted. */
  send(address: number, data: number): boolean {
    return this.#ports.port(0).write32(address, data);
  }
}
