// SPDX-License-Identifier: Apache-2.0
// What mapping costs: `node --expose-gc its-footprint.mjs DEVICES EVENTS` maps them and prints figures as JSON. Times are of the
// runs of at most 16 Ki commands that the ITS makes of the queue, without the time to write them there: of the first mapping,
// and of the others until a million events have been mapped. The first message of an event looks it up in memory.
//
// Bytes are of the heap and array buffers, per event: what a board with nothing mapped takes (guest memory with configuration and
// pending tables for 21 bits of INTID, and what the models keep of them, is most), what mapping adds, and what the first message
// of each event adds to the models.
import { setTimeout } from 'node:timers/promises';
import { ItsMachine } from './its-machine.mjs';

const MAPPINGS = 2 ** 20;
const [nrDevices, nrEvents] = process.argv.slice(2).map(Number);
const total = nrDevices * nrEvents;
const commandsPerEvent = (nrDevices + total) / total;
warmUp();

const before = await bytes();
const machine = new ItsMachine(nrDevices, nrEvents);
const empty = await bytes();
machine.mapAll();
const first = perEvent(machine.nsPerCommand);
const mapped = await bytes();
const start = performance.now();
signalAll(machine);
const firstMessage = ((performance.now() - start) * 1e6) / total;
if (machine.nrPending !== total) throw new Error(`${machine.nrPending} of ${total} LPIs are pending`);
const used = await bytes();
for (let done = total; done < MAPPINGS; done += total) machine.mapAll();
const all = perEvent(machine.nsPerCommand);
console.log(
  JSON.stringify({
    'ns/event to map': all.min,
    'ns median': all.median,
    'ns in a new machine': first.median,
    'ns/first message': firstMessage,
    'bytes/event of an empty machine': (empty - before) / total,
    'bytes/event mapped': (mapped - empty) / total,
    'bytes/event used': (used - mapped) / total,
  }),
);

// The compiler is to have seen everything before, more than one machine too.
function warmUp() {
  const machines = Array.from({ length: 3 }, () => new ItsMachine(256, 16));
  for (let i = 0; i < 20; i++)
    for (const machine of machines) {
      machine.mapAll();
      signalAll(machine);
    }
}

function signalAll({ its, nrDevices, nrEvents }) {
  for (let device = 0; device < nrDevices; device++)
    for (let event = 0; event < nrEvents; event++) its.signal(device, event);
}

function perEvent(nsPerCommand) {
  const sorted = nsPerCommand.map((ns) => ns * commandsPerEvent).sort((a, b) => a - b);
  return { min: sorted[0], median: sorted[sorted.length >>> 1] };
}

// Array buffers are let go beside the program.
async function bytes() {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await setTimeout(20);
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
