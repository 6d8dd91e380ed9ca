// SPDX-License-Identifier: Apache-2.0
// `irqkit replay DIR`: a capture of real drivers, or recorded page-table walks, fed to the models.

import { CaptureError, replayDirectory } from '@irqkit/replay';
import type { ReplayReport } from '@irqkit/replay';
import { EXIT } from '../../exit-code.js';
import type { ExitCode } from '../../exit-code.js';
import { InputError } from '../../input-error.js';
import type { CliIo } from '../../io.js';
import { printReplay } from './print-replay.js';

/** @throws InputError */
export function replayCommand(io: CliIo, dir: string, options: { readonly json?: boolean }): ExitCode {
  const report = replay(dir);
  io.out(options.json ? `${JSON.stringify(report, null, 2)}\n` : printReplay(io, report));
  return report.agrees ? EXIT.OK : EXIT.FAILED;
}

function replay(dir: string): ReplayReport {
  try {
    return replayDirectory(dir);
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    throw new InputError(error.place, error.reason, { cause: error });
  }
}
