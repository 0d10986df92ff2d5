// Jest runs this file outside its module system: the transform reaches it, but not what it imports with `./x.js`. These
// hooks make Node itself read the project's TypeScript, so everything else is imported after them, dynamically.
import './typescript-hooks.mjs';

export default async function globalSetup(): Promise<void> {
  const { prepareTestServer } = await import('./test-server.js');
  await prepareTestServer();
}
