// SPDX-License-Identifier: Apache-2.0

import { readCapture } from './capture/read-capture.js';
import { filesOf } from './capture/read-file.js';
import { replayCapture } from './replay-capture.js';
import type { ReplayReport } from './report/replay-report.js';
import { replayVfio } from './vfio/replay-vfio.js';
import { readWalks } from './walks/read-walks.js';
import { replayWalks } from './walks/replay-walks.js';

/** What a capture has and recorded walks do not. */
const OF_A_CAPTURE = ['mmio.jsonl', 'platform.dtb', 'summary.json'];

/**
 * Replays what a directory holds: a capture of drivers, or recorded page-table walks.
 * @throws CaptureError for what is missing or malformed, with the file and the place in it
 */
export function replayDirectory(dir: string): ReplayReport {
  const names = filesOf(dir);
  const isWalks = names.some((name) => name.endsWith('.json')) && !OF_A_CAPTURE.some((name) => names.includes(name));
  return isWalks ? replayWalks(readWalks(dir)) : replayCapture(readCapture(dir));
}

/**
 * Replays what is at `path`: a directory, or the file of a VFIO recording, `A.jsonl`, on the boot in `bootDir`.
 * @throws CaptureError as replayDirectory and replayVfio
 */
export function replayPath(path: string, options: { readonly bootDir?: string } = {}): ReplayReport {
  return path.endsWith('.jsonl') ? replayVfio(path, options) : replayDirectory(path);
}
