// SPDX-License-Identifier: Apache-2.0
// Which stream match register group a stream gets. IHI 0062, "Stream matching": two that match one StreamID are a fault, so
// that none may overlap; what is shared and what refused: the behaviour of Linux 6.1.

/** The StreamIDs that are `id` but for the bits of `mask`. @linux struct arm_smmu_smr */
export interface StreamMatch {
  readonly id: number;
  readonly mask: number;
}

/** True where every StreamID of `inner` is one of `outer`. */
export function contains(outer: StreamMatch, inner: StreamMatch): boolean {
  return (inner.mask & ~outer.mask) === 0 && ((inner.id ^ outer.id) & ~outer.mask) === 0;
}

/** True where a StreamID is one of both. */
export function overlaps(one: StreamMatch, other: StreamMatch): boolean {
  return ((one.id ^ other.id) & ~(one.mask | other.mask)) === 0;
}

/**
 * The index of the entry that `match` shares or can have: one that contains it, else the first that is free (undefined).
 * @returns EINVAL where one overlaps it that does not contain it, which nothing else can serve; ENOSPC where none is free
 * @linux arm_smmu_find_sme
 */
export function findEntry(
  entries: readonly (StreamMatch | undefined)[],
  match: StreamMatch,
): number | 'EINVAL' | 'ENOSPC' {
  let free: number | undefined;
  for (const [index, entry] of entries.entries()) {
    if (!entry) {
      free ??= index;
      continue;
    }
    if (contains(entry, match)) return index;
    if (overlaps(entry, match)) return 'EINVAL';
  }
  return free ?? 'ENOSPC';
}
