package io.metashard.shardmap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BackupMarkerTest {
  @Test
  void aMarkerSaysWhereEveryBucketIs() {
    String text = "0 3 00000000\n7 12 ffffffff\n";
    BackupMarker marker = BackupMarker.parse(text, 12);
    assertThat(marker.entries())
        .isEqualTo(
            Map.of(0, new BackupMarker.Entry(3, 0), 7, new BackupMarker.Entry(12, 0xffffffffL)));
    assertThat(marker.text()).isEqualTo(text);
    assertThat(BackupMarker.parse("", 1).entries()).isEmpty();
  }

  @Test
  void whatIsNoMarkerOfOursIsRefused() {
    for (String text :
        List.of(
            "\n",
            "0 3 00000000",
            "0 3 00000000\r\n",
            "0 3 00000000\n\n",
            "-1 3 00000000\n",
            "0 4 00000000\n",
            "0 0 00000000\n",
            "0 99999999999999999999 00000000\n",
            "99999999999 3 00000000\n",
            "0 3 0000000G\n",
            "0 3 00000000 x\n",
            "1 3 00000000\n0 3 00000000\n",
            "1 3 00000000\n1 3 00000000\n")) {
      assertThatThrownBy(() -> BackupMarker.parse(text, 3))
          .as(text)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageMatching("(line [0-9]+ |its lines )[ -~]+");
    }
  }

  @Test
  void aFolderIsOfASequenceOrNoneOfOurs() {
    assertThat(BackupMarker.sequence("00000000000000000012")).hasValue(12);
    assertThat(BackupMarker.sequence("99999999999999999999")).isEmpty();
    assertThat(BackupMarker.sequence("12")).isEmpty();
    assertThat(BackupMarker.sequence("0000000000000000001x")).isEmpty();
  }

  @FuzzTest
  void anyTextIsTheMarkerThatItSaysOrIsRefused(FuzzedDataProvider data) {
    String text = data.consumeRemainingAsString();
    BackupMarker.sequence(text).ifPresent(of -> assertThat("%020d".formatted(of)).isEqualTo(text));
    BackupMarker marker;
    try {
      marker = BackupMarker.parse(text, 1000);
    } catch (IllegalArgumentException e) {
      assertThat(e.getMessage().length()).isLessThan(300);
      return;
    }
    assertThat(marker.entries()).hasSize((int) text.lines().count());
    assertThat(BackupMarker.parse(marker.text(), 1000)).isEqualTo(marker);
  }
}
