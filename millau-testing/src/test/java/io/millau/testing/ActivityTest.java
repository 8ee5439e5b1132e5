package io.millau.testing;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ActivityTest {

    private final Activity activity = new Activity();

    @Test
    void whoHasDoneSomethingInBetweenIsNoticed() {
        long before = activity.look();
        assertThat(activity.look()).isEqualTo(before);

        activity.begins();
        assertThat(activity.look()).isEqualTo(Activity.BUSY);
        activity.ends();

        assertThat(activity.look()).isNotIn(before, Activity.BUSY);
    }

    /** One that writes what nobody reads would be waited for again and again. */
    @Test
    void whoWasGivenUpIsWaitedForAgainOnceItIsDone() {
        activity.begins();
        activity.giveUp();
        assertThat(activity.look()).isNotEqualTo(Activity.BUSY);

        activity.begins();
        assertThat(activity.look()).as("another one").isEqualTo(Activity.BUSY);
        activity.ends();
        activity.ends();
        assertThat(activity.look()).isNotEqualTo(Activity.BUSY);

        activity.begins();
        assertThat(activity.look()).isEqualTo(Activity.BUSY);
    }
}
