export type WhenTargetDown = "fail" | "hold";
