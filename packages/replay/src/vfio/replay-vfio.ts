// SPDX-License-Identifier: Apache-2.0
// A whole recording played, and what of it agrees.

import type { VfioSettings } from '@irqkit/vfio-type1';
import { CaptureError } from '../capture/capture-error.js';
import type { ReplayReport } from '../report/replay-report.js';
import { Tally } from '../report/tally.js';
import { EXCLUSIONS } from './exclusions.js';
import type { Exclusion } from './exclusions.js';
import { IOCTLS } from './ioctl-structs.js';
import { VfioMachine, bootDirectoryOf } from './machine.js';
import { readRecording } from './recording.js';
import type { VfioRecord } from './recording.js';
import { playShell } from './shell-calls.js';
import { VfioPlayer } from './vfio-player.js';

export interface VfioReplayOptions {
  /** The boot of the recorded machine: `../boots/A` beside the directory of `A.jsonl` where missing. */
  readonly bootDir?: string;
  /** Records that are played and not compared. */
  readonly exclusions?: readonly Exclusion[];
}

/** What a shell does while the process of the last scenario still runs. */
const BESIDE_PROCESS: ReadonlySet<string> = new Set(['bind-host-driver-while-vfio-owns-group']);

/**
 * Plays a recording of VFIO calls on a machine of models and compares every answer.
 * @throws CaptureError for what is missing or malformed, with the file and the line
 */
export function replayVfio(path: string, options: VfioReplayOptions = {}): ReplayReport {
  const records = readRecording(path);
  const machine = new VfioMachine(options.bootDir ?? bootDirectoryOf(path), settingsOf(records[0]));
  const run = new VfioReplay(machine, options.exclusions ?? EXCLUSIONS);
  try {
    return run.replay(path, records);
  } finally {
    run.player.endProcess();
    machine.close();
  }
}

class VfioReplay {
  readonly player: VfioPlayer;
  readonly #machine: VfioMachine;
  readonly #tally = new Tally();
  readonly #exclusions: readonly Exclusion[];
  readonly #excluded: (Exclusion & { readonly file: string; readonly line: number })[] = [];
  #scenario = '';
  #last = -1;

  constructor(machine: VfioMachine, exclusions: readonly Exclusion[]) {
    this.#machine = machine;
    this.#exclusions = exclusions;
    this.player = new VfioPlayer(machine, this.#tally);
    this.#tally.expect('ioctls');
  }

  replay(path: string, records: readonly VfioRecord[]): ReplayReport {
    const calls = records.slice(1);
    calls.forEach((record, i) => this.#play(record, calls.slice(i)));
    return { ...this.#tally.report(path), excluded: this.#excluded };
  }

  #play(record: VfioRecord, rest: readonly VfioRecord[]): void {
    try {
      if (record.n === undefined) this.#shell(record);
      else this.#call(record, rest);
    } catch (error) {
      if (error instanceof CaptureError) throw error;
      throw new Error(`${record.file}:${record.line}: ${record.call}`, { cause: error });
    }
  }

  #shell(record: VfioRecord): void {
    if (!BESIDE_PROCESS.has(record.call)) this.player.endProcess();
    this.#scenario = '';
    const outcome = playShell(record, this.#machine);
    if (!outcome) return this.#tally.notCovered(record.call, 'its text is free');
    const { ret, text, recorded } = outcome;
    this.#compare(record, 'shell', `${record.ret} ${recorded}`.trim(), `${ret} ${text}`.trim());
  }

  #call(record: VfioRecord, rest: readonly VfioRecord[]): void {
    const n = record.n ?? 0;
    if (record.scenario !== this.#scenario || n <= this.#last) this.player.startProcess(ofScenario(rest));
    this.#scenario = record.scenario;
    this.#last = n;
    const played = this.player.play(record);
    if (!played) return this.#tally.notCovered(record.call, 'nothing here plays it');
    const exclusion = this.#exclusions.find(
      (each) => each.scenario === record.scenario && each.call === record.call && each.n === n,
    );
    if (exclusion) this.#excluded.push({ ...exclusion, file: record.file, line: record.line });
    else this.#compare(record, kindOf(record), played.expected, played.got);
  }

  #compare(record: VfioRecord, kind: string, expected: string, got: string): void {
    const { file, line, n, scenario, call, object } = record;
    this.#tally.compare(kind, { file, line, n }, `${scenario} ${call} ${object}`.trim(), expected, got);
  }
}

/** Module parameters, and how the recorded kernel answers: 6.1 judges the whole machine's doorbells, later ones the device's. */
function settingsOf({ output }: VfioRecord): Partial<VfioSettings> {
  const isOld = /^6\.1[^0-9]/.test(output.string('uname'));
  return {
    kernel: isOld ? '6.1' : '6.12',
    msiIsolation: isOld ? 'machine' : 'device',
    allowUnsafeInterrupts: output.string('allow_unsafe_interrupts') === 'Y',
    disableHugepages: output.string('disable_hugepages') === 'Y',
    dmaEntryLimit: Number(output.string('dma_entry_limit')),
  };
}

/** Up to where the next one begins. */
function ofScenario(records: readonly VfioRecord[]): readonly VfioRecord[] {
  const end = records.findIndex(
    ({ n, scenario }, i) =>
      i > 0 && (n === undefined || scenario !== records[0].scenario || n <= (records[i - 1].n ?? 0)),
  );
  return end < 0 ? records : records.slice(0, end);
}

function kindOf({ call }: VfioRecord): string {
  return call in IOCTLS ? 'ioctls' : call;
}
