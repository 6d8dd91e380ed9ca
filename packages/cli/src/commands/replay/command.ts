// SPDX-License-Identifier: Apache-2.0
// `irqkit replay PATH`: a capture of real drivers, recorded page-table walks, or a recording of VFIO calls, fed to the models.

import { CaptureError, replayPath } from '@irqkit/replay';
import type { ReplayReport } from '@irqkit/replay';
import { EXIT } from '../../exit-code.js';
import type { ExitCode } from '../../exit-code.js';
import { InputError } from '../../input-error.js';
import type { CliIo } from '../../io.js';
import { printReplay } from './print-replay.js';

/** @throws InputError */
export function replayCommand(
  io: CliIo,
  path: string,
  options: { readonly json?: boolean; readonly boot?: string },
): ExitCode {
  const report = replay(path, options.boot);
  io.out(options.json ? `${JSON.stringify(report, null, 2)}\n` : printReplay(io, report));
  return report.agrees ? EXIT.OK : EXIT.FAILED;
}

function replay(path: string, bootDir: string | undefined): ReplayReport {
  try {
    return replayPath(path, { bootDir });
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    throw new InputError(error.place, error.reason, { cause: error });
  }
}
