// SPDX-License-Identifier: Apache-2.0
// Recorded traffic of real drivers, replayed into models.

export type { AdapterRun, CapturedSilicon, CoveredRegion, PendingLpi, ReplayAdapter } from './adapter.js';
export { CaptureError } from './capture/capture-error.js';
export type { Capture, CapturedAccess, CapturedEvent, CapturedRegion } from './capture/capture.js';
export type { RamSnapshot } from './capture/ram-snapshot.js';
export type { RecordedLeaf, SmmuTables } from './capture/smmu-tables.js';
export { readCapture } from './capture/read-capture.js';
export { ADAPTERS, replayCapture } from './replay-capture.js';
export type { ReplayOptions } from './replay-capture.js';
export { replayDirectory, replayPath } from './replay-directory.js';
export type { ReplaySession } from './replay-session.js';
export type {
  Departure,
  Disagreement,
  Excluded,
  GivenInput,
  KindReport,
  NotCovered,
  ReplayReport,
} from './report/replay-report.js';
export type { Tally } from './report/tally.js';
export type { Exclusion } from './vfio/exclusions.js';
export { replayVfio } from './vfio/replay-vfio.js';
export type { VfioReplayOptions } from './vfio/replay-vfio.js';
export { readWalks } from './walks/read-walks.js';
export { replayWalks } from './walks/replay-walks.js';
export type {
  ArchitectureNote,
  InvalidationAnswer,
  InvalidationCase,
  InvalidationFile,
  InvalidationRun,
  WalkCase,
  WalkFile,
  WalkProbe,
  WalkResult,
  WalkTables,
  Walks,
} from './walks/walks.js';
