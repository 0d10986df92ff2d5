import { describe, expect, test } from '@jest/globals';
import { JweSecretBox } from '../../../src/infrastructure/secret-box.js';

const key = (id: string, byte: number) => ({ id, secret: new Uint8Array(32).fill(byte) });
const OLD = key('2025', 1);
const NEW = key('2026', 2);

/** The sealed text with one character of its nth part changed to another one. */
function tampered(sealed: string, part: number): string {
  const parts = sealed.split('.');
  const text = parts[part] ?? '';
  parts[part] = `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`;
  return parts.join('.');
}

describe('the secret box', () => {
  test.each(['', 'a token', 'ünïcödé 🚀', 'x'.repeat(5000)])('gives back what it sealed: %#', async (plaintext) => {
    const box = new JweSecretBox([NEW]);
    expect(await box.open(await box.seal(plaintext))).toBe(plaintext);
  });

  test('seals the same text differently each time and never shows it', async () => {
    const box = new JweSecretBox([NEW]);
    const [first, second] = [await box.seal('refresh-token'), await box.seal('refresh-token')];
    expect(first).not.toBe(second);
    expect(first).not.toContain('refresh-token');
    const decoded = first.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'));
    expect(decoded.join()).not.toContain('refresh-token');
  });

  test('names the key it used', async () => {
    const sealed = await new JweSecretBox([NEW, OLD]).seal('token');
    expect(JSON.parse(Buffer.from(sealed.split('.')[0] ?? '', 'base64url').toString())).toEqual({
      alg: 'dir',
      enc: 'A256GCM',
      kid: '2026',
    });
  });

  test('opens what an older key sealed while that key is kept', async () => {
    const sealed = await new JweSecretBox([OLD]).seal('token');
    expect(await new JweSecretBox([NEW, OLD]).open(sealed)).toBe('token');
  });

  test('says which key is missing, and nothing else', async () => {
    const sealed = await new JweSecretBox([OLD]).seal('token');
    await expect(new JweSecretBox([NEW]).open(sealed)).rejects.toThrow(
      'no key "2025" in ENCRYPTION_KEYS: add it back to open what it sealed',
    );
  });

  test('does not open what another key of the same name sealed', async () => {
    const sealed = await new JweSecretBox([key('2026', 9)]).seal('token');
    await expect(new JweSecretBox([NEW]).open(sealed)).rejects.toThrow();
  });

  test.each([
    [0, 'header'],
    [2, 'nonce'],
    [3, 'ciphertext'],
    [4, 'authentication tag'],
  ])('refuses a changed part %i: the %s', async (part) => {
    const box = new JweSecretBox([NEW]);
    await expect(box.open(tampered(await box.seal('token'), part))).rejects.toThrow();
  });

  test.each(['', 'token', 'a.b.c.d.e'])('refuses what was never sealed: %j', async (text) => {
    await expect(new JweSecretBox([NEW]).open(text)).rejects.toThrow();
  });

  test('cannot exist without a key', () => {
    expect(() => new JweSecretBox([])).toThrow('at least one encryption key is needed');
  });
});
