export type Finding = { code: string, confidence: string, explanation: string, fix: string };
