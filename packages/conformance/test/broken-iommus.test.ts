// SPDX-License-Identifier: Apache-2.0
// The kit for IOMMUs proves itself: each broken toy fails on the check made for it, and on no other.
import { testIommu } from '@irqkit/conformance';
import type { Plugin } from '@irqkit/core';
import { forgetsStreams } from './broken/iommu/forgets-streams.js';
import { leaksTable } from './broken/iommu/leaks-table.js';
import { overlappingRegions } from './broken/iommu/overlapping-regions.js';
import { overwrites } from './broken/iommu/overwrites.js';
import { sharedCache } from './broken/iommu/shared-cache.js';
import { staleAttach } from './broken/iommu/stale-attach.js';
import { staleFlush } from './broken/iommu/stale-flush.js';
import { staleUnmap } from './broken/iommu/stale-unmap.js';
import { takesAnyId } from './broken/iommu/takes-any-id.js';
import { throwsBeyond } from './broken/iommu/throws-beyond.js';
import { writesThrough } from './broken/iommu/writes-through.js';
import { outcomesOf } from './recording-framework.js';
import { toyIommuMachine } from './toys/toy-iommu/machine.js';
import { toyIommu } from './toys/toy-iommu/toy-iommu.js';

const examine = (plugin: Plugin, unsupported: Parameters<typeof testIommu>[1]['unsupported'] = {}) =>
  outcomesOf((framework) =>
    testIommu(framework, { plugin, setup: toyIommuMachine, nrOperations: 100, seed: 7, unsupported }),
  );

const FAILURES: readonly (readonly [what: string, plugin: Plugin, check: string, message: RegExp])[] = [
  [
    'forgets the invalidation of an unmap',
    staleUnmap,
    'after an unmap no access goes through that went through before; neighbours stay, and new mappings are seen',
    /^page 1, unmapped: conformance device 0 reading 0x2000 reaches page 1$/,
  ],
  [
    'flushes nothing for a flush queue',
    staleFlush,
    'in a lazy DMA domain an address is not given out again before flushIotlbAll, and leads nowhere after it',
    /^after the flush: conformance device 0 reading 0x[0-9a-f]+ reaches page 0$/,
  ],
  [
    'leaves what is remembered of a former domain',
    staleAttach,
    'attached to another domain, and back in its default one, a device is moved at once',
    /^in a domain of its own the first time: .* reaches page 2, not page 0$/,
  ],
  [
    'maps over what is mapped',
    overwrites,
    'mapping over what is mapped is EEXIST, and changes nothing',
    /^mapping a page inside a block: nothing was thrown, EEXIST is wanted$/,
  ],
  [
    'leaks a table where a map fails',
    leaksTable,
    'a map that fails at any step maps nothing and leaves nothing behind, and what was mapped stays',
    /^after mapping with operation \d+ failing .*: .*a buffer of 4096 bytes of DMA memory is left behind/,
  ],
  [
    'does not tell devices apart in its cache',
    sharedCache,
    'two devices in domains of their own each reach what is mapped for them alone',
    /^at first: conformance device 1 reading 0x1000 reaches page 0, not page 2$/,
  ],
  [
    'lets devices write what they may only read',
    writesThrough,
    'a page that is mapped to be read is not written',
    /^a page that may be read, and was: conformance device 0 writing 0x1000 reaches page 0$/,
  ],
  [
    'reports regions that overlap',
    overlappingRegions,
    'its reserved regions are whole pages, in ascending order and without overlap, and one is for doorbells',
    /^the reserved region of 0x1000 bytes at 0x8080000 comes after the sw-msi region of 0x100000 bytes at 0x8000000$/,
  ],
  [
    'takes ids that the hardware does not have',
    takesAnyId,
    'an id that the hardware does not have is ERANGE, and nothing is taken',
    /^taking in a device with the id 32: nothing was thrown, ERANGE is wanted$/,
  ],
  [
    'throws where no driver maps',
    throwsBeyond,
    'whatever its tables and registers hold, it never throws, and answers an address or a fault (seed 7)',
    /^a (read|write) by stream -?\d+ to 0x[0-9a-f]+ throws: RangeError: an address of more than 48 bits$/,
  ],
  [
    'forgets its streams',
    forgetsStreams,
    'saved and restored, on its own board or a new one, it leads devices where it led them',
    /^restored: conformance device 0 reading 0x1000 faults$/,
  ],
];

describe('the kit for IOMMUs', () => {
  it('passes a good plugin, and names what it skips with the reason', () => {
    const { failed, passed, skipped } = examine(toyIommu(), { 'write-only': 'its pages are all read' });
    expect(failed).toEqual({});
    expect(passed.length).toBeGreaterThan(30);
    expect(skipped).toEqual([
      'a page that is mapped to be written is not read (not supported: write-only, its pages are all read)',
    ]);
  });

  it.each(FAILURES)('fails a plugin that %s on that check alone', (_what, plugin, check, message) => {
    const { failed } = examine(plugin);
    expect(Object.keys(failed)).toEqual([check]);
    expect(failed[check]).toMatch(message);
  });
});
