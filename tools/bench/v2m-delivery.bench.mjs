// SPDX-License-Identifier: Apache-2.0
// One MSI from a device to its handler: endpoint, address space, GICv2m doorbell, GICv2, processor, interrupt framework.
import { readFileSync } from 'node:fs';
import { createBoard } from '@irqkit/board';
import { createHost } from '@irqkit/core';
import { firmwareFromFdt } from '@irqkit/fdt';
import { gicV2 } from '@irqkit/gic-v2';
import { gicV2m } from '@irqkit/gic-v2m';
import { pciHostGeneric } from '@irqkit/pci';
import { nvmeLike } from '@irqkit/pci/model';

const PLATFORM = new URL('../../packages/cli/platforms/virt-gic-v2m.dtb', import.meta.url);
const ops = 1000;

/** Exported, so that no delivery is for nothing. */
export let delivered = 0;

/** An endpoint whose `nrVectors` MSI-X vectors have a handler each. */
function endpoint(nrVectors) {
  const firmware = firmwareFromFdt(readFileSync(PLATFORM));
  const plugins = [gicV2, gicV2m, pciHostGeneric];
  const model = nvmeLike({ vectors: nrVectors });
  const board = createBoard({ firmware, plugins, plugged: { '/pcie@10000000': [{ device: 1, model }] } });
  const host = createHost({ firmware, plugins, bus: board.bus });
  const device = host.devices.find('0000:00:01.0');
  device.enable();
  const handler = () => {
    delivered++;
    return true;
  };
  for (const virq of device.enableMsix(nrVectors)) host.irqs.requestIrq(virq, handler, 'bench');
  return model;
}

function fire(model, nrVectors) {
  const before = delivered;
  let vector = 0;
  for (let i = 0; i < ops; i++) {
    model.raise(vector);
    if (++vector === nrVectors) vector = 0;
  }
  if (delivered !== before + ops) throw new Error(`${ops - (delivered - before)} of ${ops} MSIs were lost`);
}

export function cases() {
  return [1, 64].map((nrVectors) => {
    const model = endpoint(nrVectors);
    const name = `delivery, ${nrVectors} vector${nrVectors === 1 ? '' : 's'}`;
    return { name, ops, run: () => fire(model, nrVectors), allocatesNothingOver: 1e7 };
  });
}
