package io.metashard.job;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import org.apache.hadoop.fs.Path;

class InventoryManifestFuzzTest {
  private static final Path MANIFEST = new Path("s3a://inventory/lake/2026-01-21T01-00Z/m.json");

  @FuzzTest
  void aManifestNamesFilesOfItsFolderOrIsRefusedInWords(byte[] text) {
    InventoryManifest manifest;
    try {
      manifest = InventoryManifest.parse(MANIFEST, text);
    } catch (IllegalArgumentException refused) {
      assertThat(refused.getMessage()).isNotBlank().doesNotContain("\n", "\u001b");
      return;
    }
    assertThat(manifest.createdAt().toEpochMilli()).isPositive();
    for (Path file : manifest.files()) {
      assertThat(file.getParent()).isEqualTo(new Path("s3a://inventory/lake/data"));
    }
  }
}
