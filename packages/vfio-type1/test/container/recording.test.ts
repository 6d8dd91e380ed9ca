// SPDX-License-Identifier: Apache-2.0
// Every call on a container or a group that was made on a real Linux 6.1, made again: same result, errno and output.

import { describeWithShared, sharedPath } from '@irqkit-test/env';
import { RecordedMachine, readRecording } from '../support/recording.js';

describeWithShared('R17, R21: the answers of Linux 6.1', () => {
  const machine = new RecordedMachine();

  test('containers and groups answer as recorded', () => {
    for (const call of readRecording(sharedPath('data', 'vfio', 'A.jsonl'))) machine.play(call);
    expect(machine.differences).toEqual([]);
    expect(machine.compared).toBeGreaterThan(500);
  });
});
