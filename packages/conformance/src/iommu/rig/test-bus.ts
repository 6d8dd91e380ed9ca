// SPDX-License-Identifier: Apache-2.0
// The bus of the kit's devices: it has no registers, and gives each device its port.

import { CORE_API, definePlugin } from '@irqkit/core';
import type { DmaPort, DmaPorts, MmioModel, Model, ModelContext, Plugin, State } from '@irqkit/core';
import { expectThat } from '../../expect/expect.js';
import type { Board } from '@irqkit/board';
import { BUS_COMPATIBLE, BUS_PATH } from './own-firmware.js';

class TestBusModel implements Model {
  readonly frames: readonly MmioModel[] = [];
  readonly ports: DmaPorts;

  constructor({ ports }: ModelContext) {
    this.ports = ports;
  }

  save(): State {
    return { version: 1 };
  }

  restore(): void {
    return;
  }
}

export const testBus: Plugin = definePlugin({
  name: '@irqkit/conformance devices',
  coreApi: CORE_API,
  models: [{ compatible: [BUS_COMPATIBLE], useFactory: (context) => new TestBusModel(context) }],
});

/** The port of a device. */
export function portOf(board: Board, requesterId: number): DmaPort {
  const bus = board.models.get(BUS_PATH);
  expectThat(bus instanceof TestBusModel, () => `${BUS_PATH}: it has no model`);
  return bus.ports.port(requesterId);
}
