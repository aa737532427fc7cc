package shop;

/** A status and a JSON body. */
record Reply(int status, String body) {}
