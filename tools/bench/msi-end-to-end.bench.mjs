// SPDX-License-Identifier: Apache-2.0
// From a device's write of (IOVA, data) to a pending LPI: the device's port, its IOMMU, the address space, the ITS and the
// redistributors, beside the sketch of all that in one closure. Processors are told of the first and take none.
import { definePlugin } from '@irqkit/core';
import { regs } from '@irqkit/gic-v3-its';
import { SmmuV3Model, VIRT_SILICON, smmuV3 } from '@irqkit/smmu-v3';
import { ITS_PHANDLE, cells, node, text } from './its-machine.mjs';
import { SKETCH, clearTwin, once, orderOf, pairOf, repeatedOrder } from './its-pair.mjs';
import { permutation } from './random.mjs';
import { SMMU, startSmmu } from './smmu-start.mjs';
import { msiTwin } from './twins/msi-end-to-end.mjs';

/** Exported, so that no result is for nothing. */
export let sink = 0;

const PAGE_BYTES = 0x1000;
const ITS_TRANSLATER = 0x808_0000 + regs.GITS_TRANSLATER.offset;
/** Where devices have it, as the sketch does. @linux MSI_IOVA_BASE */
const DOORBELL = 0x800_0040;
const DEVICES_PATH = '/devices';
const SMMU_PHANDLE = 3;

export function cases() {
  const repeated = once(() => repeatedOrder(SKETCH));
  const each = once(() => orderOf(SKETCH, permutation(SKETCH.nrDevices * SKETCH.nrEvents)));
  const twin = once(twinOf);
  const latched = once(() => machineOf('arm,smmu-v3'));
  const translated = once(() => machineOf('bench,smmu-v3'));
  return [
    ['any event, 31 of 32 pending', repeated],
    ['each event once, none pending', each],
  ].flatMap(([name, order]) => [
    twinCase(`${name}, twin with IOTLB and decode`, writeInFull, twin, order, each),
    twinCase(`${name}, twin with a route`, writeByRoute, twin, order, each),
    portCase(`${name}, ports with routes`, `${name}, twin with a route`, latched, order, each),
    portCase(`${name}, ports that translate`, `${name}, twin with IOTLB and decode`, translated, order, each),
  ]);
}

function twinCase(name, write, twin, order, cleared) {
  return {
    name,
    ops: order().devices.length,
    before: () => clearTwin(twin().its, cleared()),
    run: () => write(twin(), order()),
  };
}

function portCase(name, beside, made, order, cleared) {
  return {
    name,
    beside,
    ops: order().devices.length,
    before: () => made().machine.clear(cleared()),
    run: () => writePorts(made().ports, order()),
    allocatesNothingOver: 1e7,
  };
}

function writePorts(ports, { devices, events }) {
  for (let i = 0; i < devices.length; i++) ports[devices[i]].write32(DOORBELL, events[i]);
}

// Two loops, so that each is compiled for what it calls.
function writeInFull({ full }, { devices, events }) {
  let sum = 0;
  for (let i = 0; i < devices.length; i++) sum = (sum + full(devices[i], 0, DOORBELL, events[i])) | 0;
  sink += sum;
}

function writeByRoute({ route }, { devices, events }) {
  let sum = 0;
  for (let i = 0; i < devices.length; i++) sum = (sum + route(devices[i], 0, DOORBELL, events[i])) | 0;
  sink += sum;
}

function twinOf() {
  const { twin: its } = pairOf(SKETCH);
  const doorbellPage = Math.floor(ITS_TRANSLATER / PAGE_BYTES);
  const twin = msiTwin(its, doorbellPage);
  for (let device = 0; device < SKETCH.nrDevices; device++)
    twin.mapPage(device, Math.floor(DOORBELL / PAGE_BYTES), doorbellPage);
  return { its, ...twin };
}

/** Ports with DeviceIDs and StreamIDs from 0 on, behind an SMMU that maps the doorbell for each at stage 1. */
function machineOf(compatible) {
  const devices = { compatible: ['bench,devices'], useFactory: ({ ports }) => stateless({ frames: [], ports }) };
  const asked = { compatible: ['bench,smmu-v3'], silicon: VIRT_SILICON, useFactory: withoutGeneration };
  const onBoard = {
    nodes: [
      node('smmuv3@9050000', {
        compatible: text(compatible),
        reg: cells(0, SMMU.base, 0, SMMU.sizeBytes),
        phandle: cells(SMMU_PHANDLE),
        '#iommu-cells': cells(1),
      }),
      node('devices', {
        compatible: text('bench,devices'),
        'msi-map': cells(0, ITS_PHANDLE, 0, SKETCH.nrDevices),
        'iommu-map': cells(0, SMMU_PHANDLE, 0, SKETCH.nrDevices),
      }),
    ],
    plugins: [smmuV3, definePlugin({ name: 'bench', coreApi: 1, models: [asked, devices] })],
  };
  const { machine } = pairOf(SKETCH, onBoard);
  const { bus, models } = machine.board;
  startSmmu(bus, SKETCH.nrDevices, DOORBELL, ITS_TRANSLATER);
  bus.cpus.onIrq(() => undefined);
  const { ports: all } = models.get(DEVICES_PATH);
  const ports = Array.from({ length: SKETCH.nrDevices }, (_, id) => all.port(id));
  if (!ports.every((port) => port.write32(DOORBELL, 1)) || machine.nrPending !== ports.length)
    throw new Error('a message did not arrive');
  return { machine, ports };
}

/** An SMMU that is asked for every message. */
function withoutGeneration({ node, silicon, dma, interrupts, ports, log }) {
  const smmu = new SmmuV3Model(node, silicon, dma, interrupts, ports, log);
  return stateless({ frames: smmu.frames, translate: (by, address, write) => smmu.translate(by, address, write) });
}

function stateless(model) {
  return { ...model, save: () => ({ version: 1 }), restore: () => undefined };
}
