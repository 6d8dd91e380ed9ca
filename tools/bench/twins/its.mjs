// SPDX-License-Identifier: Apache-2.0
// What ITS translation costs at the least: the lookup of ../shared/prototypes (`its` of e2e3.mjs, the closure form of `Its` of
// msi.mjs), the same loads, tests and stores in the same order with names for a reader. Flat tables: no memory behind them,
// no queue of what is pending, no priority.

const FIRST_LPI = 8192;

/** Tables for `nrDevices` devices of `nrEvents` events each, and `nrRedistributors` that take all of their LPIs. */
export function itsTwin(nrDevices, nrEvents, nrRedistributors) {
  const nrLpis = Math.max(nrDevices * nrEvents, 32);
  const wordsPerRedistributor = nrLpis >>> 5;
  /** First entry of a device's events and how many; of an event its LPI and collection. */
  const devices = new Int32Array(nrDevices * 2);
  const events = new Int32Array(nrDevices * nrEvents * 2);
  const collections = new Int32Array(256).fill(-1);
  const pending = new Int32Array(wordsPerRedistributor * nrRedistributors);
  const configuration = new Uint8Array(nrLpis);
  const raised = new Int32Array(1);
  let nrMapped = 0;

  const mapDevice = (deviceId) => {
    devices[deviceId * 2] = nrMapped;
    devices[deviceId * 2 + 1] = nrEvents;
    nrMapped += nrEvents;
  };

  const mapEvent = (deviceId, eventId, lpi, icid) => {
    const at = (devices[deviceId * 2] + eventId) * 2;
    events[at] = lpi;
    events[at + 1] = icid;
    configuration[lpi - FIRST_LPI] = 0xa1;
  };

  const mapCollection = (icid, redistributor) => {
    collections[icid] = redistributor;
  };

  /** The LPI of an event, pending now; negative where there is none. */
  const signal = (deviceId, eventId) => {
    if (eventId >>> 0 >= devices[(deviceId << 1) + 1] >>> 0) return -4;
    const at = (devices[deviceId << 1] + eventId) << 1;
    const lpi = events[at];
    if (lpi === 0) return -5;
    const redistributor = collections[events[at + 1] & 255];
    if (redistributor < 0) return -6;
    const index = lpi - FIRST_LPI;
    const word = redistributor * wordsPerRedistributor + (index >>> 5);
    const bit = 1 << index;
    const before = pending[word];
    if ((before & bit) === 0) {
      pending[word] = before | bit;
      if ((configuration[index] & 1) !== 0) raised[0]++;
    }
    return lpi;
  };

  const clearPending = (redistributor, lpi) => {
    const index = lpi - FIRST_LPI;
    pending[redistributor * wordsPerRedistributor + (index >>> 5)] &= ~(1 << index);
  };

  /** No more than the loads of `signal`, each depending on the one before, and no test: what memory costs. */
  const gather = (deviceIds, eventIds) => {
    let sum = 0;
    for (let i = 0; i < deviceIds.length; i++) {
      const at = (devices[deviceIds[i] << 1] + eventIds[i]) << 1;
      const index = events[at] - FIRST_LPI;
      const word = collections[events[at + 1]] * wordsPerRedistributor + (index >>> 5);
      sum = (sum + pending[word] + configuration[index]) | 0;
    }
    return sum;
  };

  return { mapDevice, mapEvent, mapCollection, signal, clearPending, gather };
}
