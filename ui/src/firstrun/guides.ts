/** Where a provider's page takes the URL. Facts from the page that `docs` names. */
export type Guide = {
  /** Slug of the catalogue; where the catalogue has none, the endpoint keeps the provider it has. */
  slug: string;
  label: string;
  steps: readonly string[];
  docs: { label: string; href: string };
  /** Whether it can only reach a public URL. */
  remote: boolean;
};

export const GUIDES = [
  {
    slug: 'github',
    label: 'GitHub',
    steps: [
      'In the repository: Settings → Webhooks → Add webhook.',
      'Payload URL: the URL of step 2. Content type: application/json.',
      'Secret: the endpoint’s signing secret, the same on both sides.',
    ],
    docs: {
      label: 'GitHub: creating webhooks',
      href: 'https://docs.github.com/en/webhooks/using-webhooks/creating-webhooks',
    },
    remote: true,
  },
  {
    slug: 'stripe',
    label: 'Stripe',
    steps: [
      'In Workbench: Webhooks → Create an event destination.',
      'Choose the events, then Webhook endpoint. Endpoint URL: the URL of step 2.',
    ],
    docs: { label: 'Stripe: webhooks', href: 'https://docs.stripe.com/webhooks' },
    remote: true,
  },
  {
    slug: 'generic',
    label: 'Other',
    steps: ['Paste the URL wherever the sender asks for a webhook or callback URL, or post to it yourself:'],
    docs: {
      label: 'How signatures of other senders are read',
      href: 'https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries',
    },
    remote: false,
  },
] as const satisfies readonly Guide[];

export type GuideSlug = (typeof GUIDES)[number]['slug'];

/** The guide of an endpoint's provider. */
export function guideOf(slug: string): Guide {
  return GUIDES.find((guide) => guide.slug === slug) ?? GUIDES[2];
}

/** A line for a POSIX shell that posts one event. */
export function curlLine(url: string): string {
  return `curl -H 'Content-Type: application/json' -d '{"event":"hello"}' '${url.replaceAll("'", '%27')}'`;
}

/** Tunnel programs that most people have, and the line that leads to a port of this machine. */
export function tunnelLines(ingress: string): { name: string; line: string }[] {
  const port = /:(\d+)$/.exec(ingress)?.[1] ?? '4100';
  return [
    { name: 'cloudflared', line: `cloudflared tunnel --url ${ingress}` },
    { name: 'ngrok', line: `ngrok http ${port}` },
  ];
}
