// SPDX-License-Identifier: Apache-2.0
// An ITS and its twin with the same mappings, and the messages that both are sent.
import { regs } from '@irqkit/gic-v3-its';
import { ItsMachine, NR_CPUS } from './its-machine.mjs';
import { random } from './random.mjs';
import { itsTwin } from './twins/its.mjs';

/** The size and the messages of a run of the sketch that the twin comes from. */
export const SKETCH = { nrDevices: 64, nrEvents: 32, nrMessages: 2 ** 16 };

/** A machine and a twin with the same mappings; the machine has seen every event once. `onBoard`: as ItsMachine takes it. */
export function pairOf(size, onBoard) {
  const { nrDevices, nrEvents } = size;
  const machine = new ItsMachine(nrDevices, nrEvents, onBoard);
  machine.mapAll();
  const twin = itsTwin(nrDevices, nrEvents, NR_CPUS);
  for (let cpu = 0; cpu < NR_CPUS; cpu++) twin.mapCollection(cpu, cpu);
  for (let device = 0; device < nrDevices; device++) {
    twin.mapDevice(device);
    for (let event = 0; event < nrEvents; event++)
      twin.mapEvent(device, event, machine.lpiOf(device, event), device % NR_CPUS);
  }
  const all = orderOf(
    size,
    Uint32Array.from({ length: nrDevices * nrEvents }, (_, i) => i),
  );
  signalIts(machine.its, all);
  if (machine.nrPending !== nrDevices * nrEvents) throw new Error(`${machine.nrPending} LPIs are pending`);
  machine.clear(all);
  return { machine, twin };
}

/** The events of these indices: event by event, device by device. */
export function orderOf({ nrEvents }, indices) {
  return {
    devices: Int32Array.from(indices, (index) => Math.floor(index / nrEvents)),
    events: Int32Array.from(indices, (index) => index % nrEvents),
    lpis: Int32Array.from(indices, (index) => regs.FIRST_LPI + index),
  };
}

// The sketch's own messages: its generator and its seed.
export function repeatedOrder(size) {
  const next = random(4242);
  const messages = Array.from({ length: size.nrMessages }, () => {
    const device = next() % size.nrDevices;
    return device * size.nrEvents + (next() % size.nrEvents);
  });
  return orderOf(size, messages);
}

export function signalIts(its, { devices, events }) {
  for (let i = 0; i < devices.length; i++) its.signal(devices[i], events[i]);
}

export function clearTwin(twin, { devices, lpis }) {
  for (let i = 0; i < devices.length; i++) twin.clearPending(devices[i] % NR_CPUS, lpis[i]);
}

export function once(make) {
  let made;
  return () => (made ??= make());
}
