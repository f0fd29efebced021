import { expect, test } from "vitest";
import { jobPath, routeOf } from "./route";

test("an address says which view it is", () => {
  expect(routeOf("/")).toEqual({ view: "home" });
  expect(routeOf(jobPath("a_b-c"))).toEqual({ view: "job", id: "a_b-c" });
  expect(routeOf("/jobs/")).toEqual({ view: "nowhere" });
  expect(routeOf("/jobs/a/b")).toEqual({ view: "nowhere" });
});
