/** Something odd about a pasted secret. `fixed` is what was probably meant; nothing is changed unasked. */
export type SecretFinding = { code: string; text: string; fixed?: string };

/** Below this many bytes a secret is easy to guess; the engine warns from the same length on. */
const SHORT_BYTES = 16;
/** Secrets of Stripe and of Standard Webhooks begin with it (docs.stripe.com/webhooks, standardwebhooks.com). */
const WHSEC = 'whsec_';

/** What people paste beside the secret itself: the mistakes that make every signature fail. Worst first. */
export function secretFindings(text: string, provider: { slug: string; name: string }): SecretFinding[] {
  if (text === '') return [];
  const findings: SecretFinding[] = [];
  const trimmed = text.trim();
  if (trimmed !== text) {
    findings.push({
      code: 'white_space',
      text: 'It begins or ends with white space. Secrets are never trimmed, so signatures made without it will not fit.',
      fixed: trimmed,
    });
  }
  const quoted = /^(["'`])(.+)\1$/s.exec(trimmed);
  if (quoted?.[2]) {
    findings.push({ code: 'quotes', text: 'It stands in quotes, which become part of the secret.', fixed: quoted[2] });
  }
  const assigned = /^(?:export\s+)?[A-Z][A-Z0-9_]*=(.+)$/s.exec(trimmed);
  if (assigned?.[1]) {
    const value = assigned[1].replace(/^(["'])(.*)\1$/s, '$2');
    findings.push({ code: 'assignment', text: 'It looks like a line of an .env file, name and all.', fixed: value });
  }
  if (/^https?:\/\//i.test(trimmed)) {
    findings.push({ code: 'url', text: 'It looks like a URL. The secret is another text at the provider.' });
  }
  if (trimmed.startsWith(WHSEC) && ['generic', 'github'].includes(provider.slug)) {
    findings.push({
      code: 'whsec',
      text: `It looks like a secret of Stripe or Standard Webhooks. ${provider.name} endpoints check X-Hub-Signature-256: with this secret their deliveries are rejected.`,
    });
  }
  if (new TextEncoder().encode(trimmed).length < SHORT_BYTES) {
    findings.push({ code: 'short', text: `It has fewer than ${SHORT_BYTES} bytes and is easy to guess.` });
  }
  return findings;
}

/** A secret of 32 random bytes as 64 hex digits: any provider's form takes them. */
export function freshSecret(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
