import './typescript-hooks.mjs';

/** Runs also when tests failed. The module is the one that globalSetup loaded, in the same process. */
export default async function globalTeardown(): Promise<void> {
  const { removeTestServer } = await import('./test-server.js');
  await removeTestServer();
}
