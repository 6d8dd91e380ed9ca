// SPDX-License-Identifier: Apache-2.0
// From (DeviceID, EventID) to a pending LPI: the ITS model and the redistributors of the GICv3 model behind it, set up by their
// registers and the command queue, every LPI enabled, no processor taking any; then from an endpoint to its handler.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createBoard } from '@irqkit/board';
import { createHost } from '@irqkit/core';
import { regs } from '@irqkit/gic-v3-its';
import { nvmeLike } from '@irqkit/pci/model';
import { PCI_PATH, PLUGINS, itsFirmware } from './its-machine.mjs';
import { SKETCH, clearTwin, once, orderOf, pairOf, repeatedOrder, signalIts } from './its-pair.mjs';
import { permutation } from './random.mjs';

/** Exported, so that no result is for nothing. */
export let sink = 0;

const SIZES = [
  { name: '1 device', nrDevices: 1, nrEvents: 2048 },
  { name: '1 Ki devices', nrDevices: 1024, nrEvents: 16 },
  { name: '64 Ki devices, 1 M LPIs', nrDevices: 65536, nrEvents: 16 },
];
const NR_HOT = 1024;
const MESSAGES_OF_A_RUN = 2 ** 14;
const RAISES_OF_A_RUN = 1000;

export function cases() {
  const sketch = once(() => pairOf(SKETCH));
  const each = once(() => orderOf(SKETCH, permutation(SKETCH.nrDevices * SKETCH.nrEvents)));
  const repeated = once(() => repeatedOrder(SKETCH));
  return [
    ...besideTwin('any event, 31 of 32 pending', sketch, repeated, each),
    ...besideTwin('each event once, none pending', sketch, each, each),
    byRegister('any event, 31 of 32 pending', sketch, repeated, each),
    byTables(sketch, each),
    ...SIZES.flatMap((size) => besideGathers(size)),
    ...SIZES.map(setUp),
    ...[1, 64].map(endToEnd),
  ];
}

/** The ITS beside the twin: the same messages in the same order to 64 devices, after `cleared` was made not pending. */
function besideTwin(name, pair, order, cleared) {
  return [
    {
      name: `${name}, twin`,
      ops: order().devices.length,
      before: () => clearTwin(pair().twin, cleared()),
      run: () => signalTwin(pair().twin, order()),
    },
    {
      name: `${name}, ITS`,
      beside: `${name}, twin`,
      ops: order().devices.length,
      before: () => pair().machine.clear(cleared()),
      run: () => signalIts(pair().machine.its, order()),
      allocatesNothingOver: 1e7,
    },
  ];
}

/** The same as writes of GITS_TRANSLATER, with a requester for each device. */
function byRegister(name, pair, order, cleared) {
  const requesters = Array.from({ length: SKETCH.nrDevices }, (_, deviceId) =>
    Object.freeze({ kind: 'device', cpu: -1, requesterId: deviceId, streamId: -1, deviceId }),
  );
  return {
    name: `${name}, GITS_TRANSLATER`,
    beside: `${name}, twin`,
    ops: order().devices.length,
    before: () => pair().machine.clear(cleared()),
    run: () => writeTranslater(pair().machine.frame, requesters, order()),
    allocatesNothingOver: 1e7,
  };
}

/** What a message costs that nothing is cached of: device, interrupt translation and collection tables read in memory. */
function byTables(pair, order) {
  return {
    name: 'each event once, nothing cached, ITS',
    ops: order().devices.length,
    before: () => {
      pair().machine.clear(order());
      pair().machine.its.dropCaches();
    },
    run: () => signalIts(pair().machine.its, order()),
    allocatesNothingOver: 1e6,
  };
}

/**
 * The ITS at one size beside loads from arrays of that size in the same order: every event in a random order, and a set of events
 * again and again that were drawn from all. No message finds its LPI pending; its configuration has been read before.
 */
function besideGathers(size) {
  const pair = once(() => pairOf(size));
  const all = once(() => orderOf(size, permutation(size.nrDevices * size.nrEvents)));
  return [
    ['random', MESSAGES_OF_A_RUN],
    ['hot set', NR_HOT],
  ].flatMap(([kind, most]) => {
    const ops = Math.min(most, size.nrDevices * size.nrEvents);
    const slices = () => slicesOf(all(), ops, kind === 'random');
    const gathers = once(slices);
    const messages = once(slices);
    const name = `${size.name}, ${kind}`;
    return [
      {
        name: `${name}, gathers`,
        ops,
        before: () => gathers().next(),
        run: () => {
          const { devices, events } = gathers().current;
          sink += pair().twin.gather(devices, events);
        },
      },
      {
        name: `${name}, ITS`,
        beside: `${name}, gathers`,
        ops,
        before: () => {
          pair().machine.clear(messages().current);
          messages().next();
        },
        run: () => signalIts(pair().machine.its, messages().current),
        allocatesNothingOver: 1e6,
      },
    ];
  });
}

/** MAPD of every device and MAPTI of every event by the command queue, in a process of its own. */
function setUp({ name, nrDevices, nrEvents }) {
  return {
    name: `${name}, set-up`,
    figures: () => {
      const child = fileURLToPath(new URL('its-footprint.mjs', import.meta.url));
      const output = execFileSync(process.execPath, ['--expose-gc', child, nrDevices, nrEvents], { encoding: 'utf8' });
      return JSON.parse(output);
    },
  };
}

/** An endpoint's MSI-X message by the bus, the ITS, a redistributor, a processor and the interrupt framework to its handler. */
function endToEnd(nrVectors) {
  const model = once(() => endpoint(nrVectors));
  return {
    name: `endpoint to handler, ${nrVectors} vector${nrVectors === 1 ? '' : 's'}`,
    ops: RAISES_OF_A_RUN,
    run: () => raise(model(), nrVectors),
    allocatesNothingOver: 1e7,
  };
}

function endpoint(nrVectors) {
  const firmware = itsFirmware();
  const model = nvmeLike({ vectors: nrVectors });
  const board = createBoard({ firmware, plugins: PLUGINS, plugged: { [PCI_PATH]: [{ device: 1, model }] } });
  const host = createHost({ firmware, plugins: PLUGINS, bus: board.bus });
  const device = host.devices.find('0000:00:01.0');
  device.enable();
  const handler = () => {
    sink++;
    return true;
  };
  for (const virq of device.enableMsix(nrVectors)) host.irqs.requestIrq(virq, handler, 'bench');
  return model;
}

function raise(model, nrVectors) {
  const before = sink;
  let vector = 0;
  for (let i = 0; i < RAISES_OF_A_RUN; i++) {
    model.raise(vector);
    if (++vector === nrVectors) vector = 0;
  }
  if (sink !== before + RAISES_OF_A_RUN) throw new Error(`${before + RAISES_OF_A_RUN - sink} MSIs were lost`);
}

function writeTranslater(frame, requesters, { devices, events }) {
  const { offset } = regs.GITS_TRANSLATER;
  for (let i = 0; i < devices.length; i++) frame.write(offset, events[i], 4, requesters[devices[i]]);
}

function signalTwin(twin, { devices, events }) {
  let sum = 0;
  for (let i = 0; i < devices.length; i++) sum = (sum + twin.signal(devices[i], events[i])) | 0;
  sink += sum;
}

/** Orders of `length` events: all slices of `all` in turn, or its first one always. */
function slicesOf(all, length, inTurn) {
  let from = 0;
  const slice = (list) => list.subarray(from, from + length);
  const current = () => ({ devices: slice(all.devices), events: slice(all.events), lpis: slice(all.lpis) });
  const slices = {
    current: current(),
    next: () => {
      if (!inTurn) return;
      from = (from + length) % all.devices.length;
      slices.current = current();
    },
  };
  return slices;
}
