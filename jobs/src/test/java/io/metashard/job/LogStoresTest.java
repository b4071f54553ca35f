package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class LogStoresTest {
  @Test
  void aLakeOnS3WithoutAStoreForSeveralWritersIsRefused() {
    for (String scheme : List.of("s3", "s3a", "s3n")) {
      String lake = scheme + "://user:secret@bucket/lake";
      for (String store : new String[] {null, "", "io.delta.storage.S3SingleDriverLogStore"}) {
        assertThat(LogStores.problem(lake, store).orElseThrow())
            .contains("Cannot use lake " + scheme + "://(redacted)@bucket/lake")
            .contains("set spark.delta.logStore." + scheme + ".impl to one that is safe")
            .doesNotContain("secret");
      }
    }
  }

  @Test
  void aSafeStoreOrAnotherFileSystemIsTaken() {
    assertThat(LogStores.problem("s3a://bucket/lake", "org.example.ConditionalStore")).isEmpty();
    assertThat(LogStores.problem("file:/data/lake", null)).isEmpty();
    assertThat(LogStores.problem("hdfs://nn/lake", null)).isEmpty();
    assertThat(LogStores.problem("data/lake", null)).isEmpty();
  }
}
