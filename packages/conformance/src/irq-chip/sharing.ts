// SPDX-License-Identifier: Apache-2.0
// All state is in hosts and boards: what one does is not seen in another (DESIGN section 2, rule 5).

import { expectSame } from '../expect/expect.js';
import { withRigs } from '../rig/rig.js';
import { Listener } from '../sources/listener.js';
import type { ChecksOfKind } from './capabilities.js';

export const sharingChecks: ChecksOfKind = (subject, kind) => [
  {
    title: 'two hosts share nothing',
    run() {
      withRigs(3, subject.plugins, subject.setup, (alone, busy, next) => {
        alone.probe();
        const wanted = kind.open(alone).map((source) => kind.identify(alone, source));
        alone.teardown();

        busy.probe();
        const busySources = kind.open(busy);
        const busyListener = new Listener(busy, busySources);
        next.probe();
        const nextSources = kind.open(next);
        const nextListener = new Listener(next, nextSources);
        expectSame(
          nextSources.map((source) => kind.identify(next, source)),
          wanted,
          'what a host is given while another is at work',
        );

        busy.host.irqs.disable(busySources[0].virq);
        const heard = busyListener.during(() =>
          expectSame(
            nextListener.labelsDuring(() => nextSources[0].raise()),
            [nextSources[0].label],
            'what a host delivers while another has the same interrupt masked',
          ),
        );
        expectSame(heard, [], 'what the other host delivers of it');

        busy.teardown();
        expectSame(
          nextListener.labelsDuring(() => nextSources[1].raise()),
          [nextSources[1].label],
          'what a host delivers after another was torn down',
        );
      });
    },
  },
];
