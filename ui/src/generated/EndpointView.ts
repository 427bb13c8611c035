import type { BodyPolicy } from "./BodyPolicy";
import type { DuplicatePolicy } from "./DuplicatePolicy";
import type { EndpointId } from "./EndpointId";
import type { EventFilter } from "./EventFilter";
import type { Reply } from "./Reply";
import type { SignaturePolicy } from "./SignaturePolicy";
import type { SecretView } from "./SecretView";
import type { Target } from "./Target";
import type { Timestamp } from "./Timestamp";
import type { Token } from "./Token";
import type { Warning } from "./Warning";
import type { WhenTargetDown } from "./WhenTargetDown";

export type EndpointView = { id: EndpointId, name: string, token: Token, ingress_path: string, ingress_url: string, public_url: string | null, provider: string, scheme: string | null, provider_options: unknown, body_policy: BodyPolicy, signature_policy: SignaturePolicy, enabled: boolean, duplicate_policy: DuplicatePolicy, reply: Reply, event_filters: Array<EventFilter>, when_target_down: WhenTargetDown, targets: Array<Target>, allow_non_loopback: boolean, public_url_override: string | null, has_signing_secret: boolean, signing_secret_hint: string | null, signing_secrets: Array<SecretView>, warnings: Array<Warning>, last_delivery_at: Timestamp | null, created_at: Timestamp };
