// SPDX-License-Identifier: Apache-2.0
// The command line as a library: its commands over any output, and the facts behind them as data.

export { runCli } from './cli.js';
export type { CliOptions } from './cli.js';
export { dtCommand } from './commands/dt/command.js';
export { replayCommand } from './commands/replay/command.js';
export { runCommand } from './commands/run/command.js';
export type { RunOptions } from './commands/run/command.js';
export { defaultSlots } from './commands/run/default-slots.js';
export { journey } from './commands/run/journey.js';
export type { JourneyOptions } from './commands/run/journey.js';
export type {
  BoundDoorbell,
  DeviceReport,
  DoorbellReport,
  ForgedMessage,
  HostBridge,
  IommuReport,
  JourneyReport,
  MessageBlock,
  TopologyNode,
  VectorReport,
} from './commands/run/journey-report.js';
export { EXIT } from './exit-code.js';
export type { ExitCode } from './exit-code.js';
export { InputError } from './input-error.js';
export type { CliIo } from './io.js';
export { PLUGINS } from './plugins.js';
