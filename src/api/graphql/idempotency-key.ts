/** Describes the argument of every mutation that can be repeated safely. */
export const IDEMPOTENCY_KEY =
  'Your name for this request, 8 to 255 characters: repeating it with the same input gives the same answer and never a second one. Kept 72 hours.';
