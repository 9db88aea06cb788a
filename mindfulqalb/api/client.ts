// Goes with the types that `make client` generates; it needs openapi-fetch (MIT, 6 kB).
import createClient from "openapi-fetch";
import type { paths } from "./schema";

/** The API at an address like https://api.example.com. It sends no cookies: the server wants none from a front end. */
export const connect = (baseUrl: string) => createClient<paths>({ baseUrl, credentials: "omit" });
