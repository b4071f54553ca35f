package io.metashard.store;

class MemoryStoreTest extends ObjectStoreContract {
  @Override
  ObjectStore emptyStore() {
    return new MemoryStore();
  }
}
