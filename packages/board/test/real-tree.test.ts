// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { describeWithShared, sharedPath } from '@irqkit-test/env';
import { createBoard } from '@irqkit/board';
import { definePlugin } from '@irqkit/core';
import { firmwareFromFdt } from '@irqkit/fdt';
import { modelAt } from './toys/machine.js';
import { Intc, Regs } from './toys/models.js';

describeWithShared("QEMU's virt machine with GICv2 and GICv2m", () => {
  test('models stand where the devicetree says, with the ids that its maps give', () => {
    const plugin = definePlugin({
      name: 'virt',
      coreApi: 1,
      models: [
        { compatible: ['arm,cortex-a15-gic'], useFactory: (context) => new Intc(context) },
        {
          compatible: ['arm,gic-v2m-frame', 'pci-host-ecam-generic'],
          useFactory: (context) => new Regs(context),
        },
      ],
    });
    const blob = readFileSync(sharedPath('data', 'replay', 'B', 'platform.dtb'));
    const firmware = firmwareFromFdt(blob);
    const board = createBoard({ firmware, plugins: [plugin] });
    expect([...board.models.keys()].sort()).toEqual(['/intc@8000000', '/intc@8000000/v2m@8020000', '/pcie@10000000']);
    expect(board.ram.regions.map(({ base }) => base)).toEqual([0x4000_0000]);
    expect(board.bus.cpus.count).toBe(firmware.cpus.length);
    expect(board.bus.map(firmware.find('/intc@8000000/v2m@8020000')!.reg(0)).base).toBe(0x802_0000);
    const { context } = modelAt(board, '/pcie@10000000', Regs);
    expect(context.ports.port(0x0010).requester).toMatchObject({ requesterId: 0x10, streamId: -1, deviceId: 0x10 });
  });
});
