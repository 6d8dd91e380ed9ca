// SPDX-License-Identifier: Apache-2.0
// The kit proves itself: each broken toy fails on the check made for it, and on no other.
import { testIrqChip, testModel } from '@irqkit/conformance';
import type { TestFramework } from '@irqkit/conformance';
import type { Plugin } from '@irqkit/core';
import { falseRemapping } from './broken/false-remapping.js';
import { forgetsPending } from './broken/forgets-pending.js';
import { leaksDoorbell } from './broken/leaks-doorbell.js';
import { leaksVectors } from './broken/leaks-vectors.js';
import { moduleState } from './broken/module-state.js';
import { reachesBeyond } from './broken/reaches-beyond.js';
import { throwsOnBytes } from './broken/throws-on-bytes.js';
import { wrongDoorbell } from './broken/wrong-doorbell.js';
import { outcomesOf } from './recording-framework.js';
import { toyPlugin } from './toys/toy-driver.js';
import { intc, toyMachine } from './toys/toy-machine.js';

const examine = (plugin: Plugin) => {
  const options = {
    plugin,
    others: [intc],
    setup: () => toyMachine('/msi@20000'),
    unsupported: { wired: 'it has no wired inputs' },
    nrAccesses: 2000,
    seed: 7,
  };
  return outcomesOf((framework: TestFramework) => {
    testIrqChip(framework, options);
    testModel(framework, options);
  });
};

const FAILURES: readonly (readonly [what: string, plugin: Plugin, check: string, message: RegExp])[] = [
  [
    'composes outside its doorbell',
    wrongDoorbell,
    'msi: composes only addresses within registered doorbells, wherever a vector is moved',
    /^a message to 0x20044 is outside the doorbell of 4 bytes at 0x20040$/,
  ],
  [
    'leaks vectors',
    leaksVectors,
    'msi: enabling that fails at any step leaves nothing behind, and the next one works',
    /^after enabling with operation \d+ failing .*: 16 vectors are no longer there: .*ENOSPC/,
  ],
  [
    'leaks its doorbell',
    leaksDoorbell,
    'a probe that fails at any step leaves nothing behind, and the next one works',
    /createDomain of \/msi@20000.*the doorbell 0x20040 is left behind/,
  ],
  [
    'keeps state in its module',
    moduleState,
    'msi: two hosts share nothing',
    /^what a host is given while another is at work/,
  ],
  [
    'claims remapping falsely',
    falseRemapping,
    'msi: where it claims isolation, a message written by another device does not arrive',
    /^another device, with no vector of its own, writing the message of vector 0/,
  ],
  [
    'throws on byte reads',
    throwsOnBytes,
    'never throws: every size at every offset of frames to 128 KiB, and 2000 random accesses (seed 7)',
    /^frame 0: a 1-byte read at 0x0: RangeError: registers are words$/,
  ],
  [
    'forgets what is pending',
    forgetsPending,
    'msi: pending and masked, an interrupt survives save and restore, and is delivered once',
    /^vector 0, masked until now, on the board that was restored/,
  ],
  [
    'raises what is not its own',
    reachesBeyond,
    'raises no INTID but its own, whatever is written',
    /^INTIDs that are not its own, raised by random writes \(seed 7\)/,
  ],
];

describe('the kit', () => {
  it('passes a good plugin, and names what it skips with the reason', () => {
    const { failed, passed, skipped } = examine(toyPlugin());
    expect(failed).toEqual({});
    expect(passed.length).toBeGreaterThan(20);
    expect(skipped).toContain('wired: a foreign specifier is EINVAL (not supported: wired, it has no wired inputs)');
  });

  it.each(FAILURES)('fails a plugin that %s on that check alone', (_what, plugin, check, message) => {
    const { failed } = examine(plugin);
    expect(Object.keys(failed)).toEqual([check]);
    expect(failed[check]).toMatch(message);
  });
});
