// SPDX-License-Identifier: Apache-2.0
import { isAbsolute } from 'node:path';

type Env = typeof import('../env.js');

/** The module as a session with these variables would load it. */
async function withEnv(variables: Record<string, string>): Promise<Env> {
  const saved = { ...process.env };
  try {
    Object.assign(process.env, variables);
    let env: Env | undefined;
    await jest.isolateModulesAsync(async () => {
      env = await import('../env.js');
    });
    return env!;
  } finally {
    process.env = saved;
  }
}

test('env: reduced counts by day, full ones in a campaign', async () => {
  expect((await withEnv({ IRQKIT_CAMPAIGN: '' })).runs(10, 1000)).toBe(10);
  expect((await withEnv({ IRQKIT_CAMPAIGN: '1' })).runs(10, 1000)).toBe(1000);
});

test('env: shared data are where IRQKIT_SHARED says, relative to the root', async () => {
  const env = await withEnv({ IRQKIT_SHARED: 'tools' });
  expect(env.hasShared).toBe(true);
  expect(isAbsolute(env.sharedPath('a', 'b'))).toBe(true);
  expect(env.sharedPath('a', 'b')).toMatch(/tools.a.b$/);
});

test('env: what is missing is skipped, and the title says why', async () => {
  const skip = jest.spyOn(describe, 'skip').mockImplementation(() => {});
  (await withEnv({ IRQKIT_SHARED: 'nowhere', IRQKIT_REQUIRE: '' })).describeWithShared('boots', () => {});
  expect(skip).toHaveBeenCalledWith('boots (skipped: no shared data)', expect.any(Function));
});

test('env: what is missing and required is a failure', async () => {
  const env = await withEnv({ IRQKIT_SHARED: 'nowhere', IRQKIT_REQUIRE: '1' });
  expect(env.hasShared).toBe(false);
  expect(() => env.describeWithShared('boots', () => {})).toThrow('boots: no shared data, and IRQKIT_REQUIRE=1');
  expect(() => env.describeWithTool('no-such-tool', 'oracle', () => {})).toThrow('oracle: no no-such-tool');
});
