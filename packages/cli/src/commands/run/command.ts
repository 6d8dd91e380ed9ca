// SPDX-License-Identifier: Apache-2.0
// `irqkit run`: one journey on a platform's devicetree, printed.

import { firmwareFromFdt } from '@irqkit/fdt';
import { EXIT } from '../../exit-code.js';
import type { ExitCode } from '../../exit-code.js';
import type { CliIo } from '../../io.js';
import { inFile, readTree } from '../../read-tree.js';
import { journey } from './journey.js';
import { printJourney } from './print-journey.js';

export interface RunOptions {
  /** The path of a devicetree blob. */
  readonly platform: string;
  readonly json?: boolean;
}

/** @throws InputError for a platform that cannot be read, or that no installed plugin can run */
export function runCommand(io: CliIo, { platform, json }: RunOptions): ExitCode {
  const tree = readTree(platform);
  const report = inFile(platform, () => journey({ firmware: firmwareFromFdt(tree) }));
  io.out(json ? `${JSON.stringify({ platform, ...report }, null, 2)}\n` : printJourney(io, platform, report));
  return report.ok ? EXIT.OK : EXIT.FAILED;
}
