// SPDX-License-Identifier: Apache-2.0
// GICv2m in captures: region v2m. A message is answered by the interrupt it makes pending; QEMU's gic_set_irq says which that
// was.

import { gicV2m, gicV2mDescription, regs } from '@irqkit/gic-v2m';
import type { AdapterRun, CoveredRegion, ReplayAdapter } from '../adapter.js';
import { isAccess } from '../capture/capture.js';
import type { CapturedAccess, CapturedEvent } from '../capture/capture.js';
import type { ReplaySession } from '../replay-session.js';
import { inputChange } from './input-change.js';

const READS = 'v2m reads';
const MSIS = 'MSIs';

export const gicV2mAdapter: ReplayAdapter = {
  plugin: gicV2m,
  regions: ['v2m'],
  silicon: [
    { region: 'v2m', offset: regs.MSI_TYPER.offset, name: 'MSI_TYPER' },
    { region: 'v2m', offset: regs.MSI_IIDR.offset, name: 'MSI_IIDR' },
  ],
  start: (session, regions) => new GicV2mRun(session, regions),
};

class GicV2mRun implements AdapterRun {
  readonly #session: ReplaySession;
  readonly #firstSpi: number;
  readonly #nrSpis: number;
  readonly #hasAnswers: boolean;

  constructor(session: ReplaySession, [{ path }]: readonly CoveredRegion[]) {
    this.#session = session;
    const node = session.capture.firmware.find(path);
    const vectors = node && gicV2mDescription.msi?.(node, session.siliconOf(path)).parentVectors;
    this.#firstSpi = vectors?.first ?? 0;
    this.#nrSpis = vectors?.count ?? 0;
    this.#hasAnswers = session.capture.records.some((record) => !isAccess(record) && this.#isRise(record));
    session.tally.expect(READS);
    session.tally.expect(MSIS);
  }

  access(access: CapturedAccess): void {
    if (access.op === 'w' && access.offset === regs.MSI_SETSPI_NS.offset) this.#message(access);
    else this.#session.perform(access, READS);
  }

  // What its own messages did to the inputs follows from them.
  event(event: CapturedEvent): boolean {
    const change = inputChange(event);
    return change !== undefined && this.raises(change.intid);
  }

  raises(intid: number): boolean {
    return intid >= this.#firstSpi && intid < this.#firstSpi + this.#nrSpis;
  }

  #message(access: CapturedAccess): void {
    const session = this.#session;
    const before = session.pendingSpis();
    session.deviceWrite(access);
    if (!this.#hasAnswers) {
      session.tally.notCovered('MSIs', 'no gic_set_irq says what they raised');
      return;
    }
    const raised = session.pendingSpis().filter((intid) => !before.includes(intid));
    const answer = session.following('gic_set_irq', (event) => this.#isRise(event));
    const expected = answer && inputChange(answer)?.intid;
    // One that was pending already stays so.
    const merged = raised.length === 0 && expected !== undefined && before.includes(expected);
    const place = `${access.region}+0x${access.offset.toString(16)} = 0x${access.lo.toString(16)}`;
    session.tally.compare(MSIS, access, place, shown(expected), merged ? shown(expected) : shown(...raised));
  }

  #isRise(event: CapturedEvent): boolean {
    const change = inputChange(event);
    return change !== undefined && change.level && this.raises(change.intid);
  }
}

function shown(...intids: readonly (number | undefined)[]): string {
  const known = intids.filter((intid) => intid !== undefined);
  return known.length > 0 ? `INTID ${known.join(', ')}` : 'nothing';
}
