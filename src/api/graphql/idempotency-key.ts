/** Describes the argument of every mutation that can be repeated safely. */
export const IDEMPOTENCY_KEY =
  'Your name for this request, 8 to 255 characters: the same key with the same input never creates a second one. Kept 72 hours.';
