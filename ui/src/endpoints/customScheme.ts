/** A scheme that the user describes, as `provider_options.custom` holds it. */
export type CustomScheme = {
  header: string;
  algorithm: string;
  encoding: string;
  prefix: string;
  template: string;
  secret: string;
};

export type CustomField = keyof CustomScheme;

export const CUSTOM_FIELDS: readonly CustomField[] = [
  'header',
  'algorithm',
  'encoding',
  'prefix',
  'template',
  'secret',
];

/** What most senders do, to begin with. */
const USUAL: CustomScheme = {
  header: '',
  algorithm: 'hmac-sha256',
  encoding: 'hex',
  prefix: '',
  template: '{body}',
  secret: 'utf8',
};

export const ALGORITHMS: readonly [word: string, name: string][] = [
  ['hmac-sha256', 'HMAC-SHA256'],
  ['hmac-sha1', 'HMAC-SHA1'],
  ['hmac-sha384', 'HMAC-SHA384'],
  ['hmac-sha512', 'HMAC-SHA512'],
  ['hmac-md5', 'HMAC-MD5'],
  ['sha256', 'SHA-256 of a text with the secret in it'],
  ['sha1', 'SHA-1 of a text with the secret in it'],
  ['md5', 'MD5 of a text with the secret in it'],
  ['token', 'None: the secret itself is sent'],
];

export const ENCODINGS: readonly [word: string, name: string][] = [
  ['hex', 'hex: 0123abcd…'],
  ['base64', 'base64: ASNFZ4mr…'],
  ['base64url', 'base64url: with - and _'],
  ['text', 'as it is, for a secret that is sent'],
];

export const SECRET_FORMS: readonly [word: string, name: string][] = [
  ['utf8', 'the text as it stands'],
  ['base64', 'what the text decodes to from base64'],
  ['hex', 'what the text decodes to from hex'],
  ['whsec', 'whsec_…, decoded from base64'],
];

export const PLACEHOLDERS: readonly [placeholder: string, meaning: string][] = [
  ['{body}', 'the body, byte for byte'],
  ['{header:X-Timestamp}', 'the value of another header'],
  ['{method}', 'the HTTP method'],
  ['{url}', 'the URL as the sender saw it'],
  ['{path_query}', 'path and query of that URL'],
  ['{json:data.id}', 'a value in a JSON body'],
  ['{form:name}', 'a field of a form'],
  ['{sorted_params}', 'names and values of a form, sorted'],
  ['{secret}', 'the secret, for plain digests'],
];

/** The scheme in an endpoint's options; null where it has none. */
export function customOf(options: Readonly<Record<string, unknown>>): CustomScheme | null {
  const { custom } = options;
  if (typeof custom !== 'object' || custom === null) return null;
  const given = custom as Record<string, unknown>;
  const read = { ...USUAL };
  for (const field of CUSTOM_FIELDS) {
    const value = given[field];
    if (typeof value === 'string') read[field] = value;
  }
  return read;
}

/** The options with another scheme, or with none. */
export function withCustom(
  options: Readonly<Record<string, unknown>>,
  custom: CustomScheme | null,
): Record<string, unknown> {
  const rest = Object.fromEntries(Object.entries(options).filter(([name]) => name !== 'custom'));
  return custom === null ? rest : { ...rest, custom: { ...custom } };
}

export const usualScheme = (): CustomScheme => ({ ...USUAL });
