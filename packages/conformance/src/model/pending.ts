// SPDX-License-Identifier: Apache-2.0
// An interrupt that has not been taken when a board is saved is taken once on the board where it is restored.

import { expectSame } from '../expect/expect.js';
import { copyOf } from '../expect/same-data.js';
import { withRigs } from '../rig/rig.js';
import type { Rig } from '../rig/rig.js';
import { Listener } from '../sources/listener.js';
import type { Source, SourceKind } from '../sources/source.js';
import type { ModelCheck, ModelSubject } from './capabilities.js';

/** Software on one of two machines, which come the same way. */
interface Half {
  readonly rig: Rig;
  readonly source: Source;
  readonly listener: Listener;
}

/** How an interrupt is kept from being taken. */
interface Obstacle {
  put(half: Half): void;
  remove(half: Half): void;
}

const MASKED: Obstacle = {
  put: ({ rig, source }) => rig.host.irqs.disable(source.virq),
  remove: ({ rig, source }) => rig.host.irqs.enable(source.virq),
};

const UNACKNOWLEDGED: Obstacle = {
  put: ({ rig }) => rig.bus.cpus.hold(),
  remove: ({ rig }) => rig.bus.cpus.release(),
};

export const pendingChecks = (subject: ModelSubject, kinds: readonly SourceKind[]): readonly ModelCheck[] =>
  kinds.flatMap((kind) => [
    pendingCheck(subject, kind, 'masked', MASKED),
    pendingCheck(subject, kind, 'not acknowledged', UNACKNOWLEDGED),
  ]);

function pendingCheck(subject: ModelSubject, kind: SourceKind, state: string, obstacle: Obstacle): ModelCheck {
  return {
    title: `${kind.name}: pending and ${state}, an interrupt survives save and restore, and is delivered once`,
    needs: [kind.name],
    run() {
      withRigs(2, subject.plugins, subject.setup, (first, second) => {
        const saved = ready(first, kind);
        obstacle.put(saved);
        saved.source.raise();
        const board = copyOf(first.board.save());
        expectTakenOnce(saved, obstacle, `${state} until now, on the board that was saved`);
        first.teardown();

        const restored = ready(second, kind);
        obstacle.put(restored);
        second.board.restore(board);
        expectTakenOnce(restored, obstacle, `${state} until now, on the board that was restored`);
      });
    },
  };
}

function expectTakenOnce(half: Half, obstacle: Obstacle, when: string): void {
  const { label, raise } = half.source;
  expectSame(
    half.listener.labelsDuring(() => obstacle.remove(half)),
    [label],
    `${label}, ${when}`,
  );
  expectSame(half.listener.labelsDuring(raise), [label], `${label}, raised again after it was ${when}`);
}

function ready(rig: Rig, kind: SourceKind): Half {
  rig.probe();
  const sources = kind.open(rig);
  return { rig, source: sources[0], listener: new Listener(rig, sources) };
}
