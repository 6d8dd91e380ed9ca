// SPDX-License-Identifier: Apache-2.0
// Device-managed resources: releases recorded as resources are taken, run in reverse. @linux devres

/** One node's releases. */
export class Devres {
  #releases: (() => void)[] = [];

  /** Records the release of something just taken. */
  add(release: () => void): void {
    this.#releases.push(release);
  }

  /** How many releases are outstanding. */
  get size(): number {
    return this.#releases.length;
  }

  /**
   * Runs every release, last taken first. One that throws does not keep the others from running.
   * @throws AggregateError of what was thrown, after all have run.
   */
  releaseAll(): void {
    const errors: unknown[] = [];
    for (let release = this.#releases.pop(); release; release = this.#releases.pop()) {
      try {
        release();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, `${errors.length} releases failed`);
  }
}
